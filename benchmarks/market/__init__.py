"""The marketplace: what is near, what a page of the market costs, and the dashboard of a large shop."""
