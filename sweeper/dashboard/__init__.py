"""A page in the browser that shows a results folder as it is now, and changes nothing."""
