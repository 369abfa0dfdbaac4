"""The catalogue: for each registered function, sample calls where its rules are checked."""
