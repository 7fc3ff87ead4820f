"""Tools and environments of the user's own: their files, and the processes that they run in."""
