"""Live Keras models, of Keras 3 on any backend and of tf-keras, as panels and back; `triptych.keras` is its face to people.

`library` finds the framework, `variables` knows its variables, `optimizers` those of its optimizers; `reading` takes a model
apart, `building` puts one together after `admission` has looked at what stands against it, and `checkpoint` writes while it trains.
"""
