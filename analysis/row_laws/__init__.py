"""Laws fitted to the rows of a sweep."""
