"""Tools that know no word: checks of parameters, memory, terminals, old names."""
