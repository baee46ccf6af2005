"""GS1 EPCIS 2.0: reading captured events, and saying in our own facts what they mean. No network here."""
