"""The command line: `elohim <noun> <verb>`. One file per noun; a noun's file is loaded when it is used."""
