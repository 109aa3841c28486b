"""How soon a request becomes an order on a robot's wire."""
