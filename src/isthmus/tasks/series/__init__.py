"""What is done with time series."""
