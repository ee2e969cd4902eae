"""Pure folds: what an event makes of the state of the thing it is about. One file for each kind of thing."""
