"""The pages: server-rendered, readable without JavaScript. Routes fetch, presenters word, templates lay out."""
