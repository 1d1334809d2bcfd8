"""The vocabulary of the project: frozen values, no behaviour that needs a clock, a file or a socket."""
