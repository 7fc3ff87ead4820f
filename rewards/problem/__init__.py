"""A problem's domain, question and verdict, and the answer found in a response."""
