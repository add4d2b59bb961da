imdb$skyfall({"v":1,"q":"skyfall","d":[{"l":"Skyfall","id":"tt1074638","s":"Daniel Craig","y":2012,"q":"feature"},{"l":"Skyfall Live","id":"tt99999902","s":"","q":"TV movie"}]})
