// A program that does nothing: what Node takes to start and to end.
