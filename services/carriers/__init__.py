"""What carriers say of parcels: who may say so, how to read it, and how it becomes facts of the orders in them."""
