"""The state as lines of coloured text, of any width and height; knows no screen."""
