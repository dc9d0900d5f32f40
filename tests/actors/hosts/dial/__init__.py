"""Tests of the hosts that dial out, as the server keeps them."""
