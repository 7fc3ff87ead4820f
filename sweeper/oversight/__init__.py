"""Where every run stands, what may be deleted, what a machine lacks, and whether it does what is planned of it."""
