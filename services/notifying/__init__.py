"""What the notifier is made of: reading an order's history, what is news, how it is worded, and how it leaves."""
