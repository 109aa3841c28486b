"""Robots that navigate with ROS 2's Nav2."""
