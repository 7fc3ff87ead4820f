"""Rows and curves as the analysis reads them."""
