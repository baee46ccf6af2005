"""Who may do what on the server: everything tried by everybody, and a partner that means harm."""
