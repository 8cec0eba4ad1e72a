"""Every attack of the list, tried on real servers over real sockets."""
