"""From text to an expression's tree."""
