"""What `draw` and `animate` are made of: reading a graph, laying out cards, rendering."""
