"""The optional model that decides what the rules for free-text STEM answers leave open."""
