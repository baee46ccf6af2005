"""The processes of the chain: intake, projector, watchdog, notifier, and what starts them."""
