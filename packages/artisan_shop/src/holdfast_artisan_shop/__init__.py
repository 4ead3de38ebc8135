"""A marketplace of local artisans: shops, products, stock, orders, delivery."""
