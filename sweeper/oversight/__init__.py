"""Where every run stands, what may be deleted, what a machine lacks."""
