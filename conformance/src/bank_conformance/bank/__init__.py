"""The one place that knows the shape of a bank: its routes, its bodies, and what they mean."""
