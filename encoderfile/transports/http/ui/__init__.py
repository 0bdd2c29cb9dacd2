"""The page for people: a place to try the model at `/` and `/ui`, the API's documentation at `/docs`.

Plain files in `static/`, without a build step. They hold nothing of the model, so that they need no key; what the
page shows of it comes from `/ui/model`, which does.
"""
