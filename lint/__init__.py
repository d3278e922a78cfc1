"""netpact: proves that a network keeps the flows a vendor documents."""
