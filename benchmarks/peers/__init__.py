"""What other people's software needs to be measured beside ours."""
