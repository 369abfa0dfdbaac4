"""The colours of tables, graphs and plots: blue is a value, orange a gradient.

Those that tell kinds apart are of Okabe and Ito, "Color universal design" (2008), which the
colour-blind tell apart, too; and nothing is told by colour alone.
"""

INK = "#1F2933"
QUIET = "#5F6C7B"  # labels within a card
FREE = "#6B7C8D"  # text on the page's own background, which may be white or dark
LINE = "#8292A2"
PAPER = "#FFFFFF"
FAINT = "#F1F4F7"  # behind what is given and not computed
HAIR = "#D5DCE3"  # lines of a grid

VALUE = "#005A8D"  # as text
GRADIENT = "#A84300"
BADGE = "#B84F00"  # behind white text
CHIP = "#FFEFE3"  # behind orange text

BLUE, BLUE_PAPER = "#0072B2", "#E3F0F9"
ORANGE, ORANGE_PAPER = "#D55E00", "#FFDFC7"
GREEN, GREEN_PAPER = "#009E73", "#E1F4ED"
AMBER, PINK, SKY, BROWN = "#E69F00", "#CC79A7", "#56B4E9", "#8C6D31"

# The same on a dark page, and its ground
NIGHT = "#0D1117"
DARK = {INK: "#E6EAEE", QUIET: "#9AA7B4", HAIR: "#3A4652", VALUE: "#6CB8E6", GRADIENT: "#F2995C"}
