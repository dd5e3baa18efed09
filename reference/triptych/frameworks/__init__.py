"""Live models of frameworks as panels, and back: one room for each framework, which imports it when it is asked to."""
