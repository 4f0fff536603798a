# SPDX-License-Identifier: Apache-2.0
"""search_index.py HOST PORT: the search of a registry's v1 API, as `docker search HOST:PORT/TERM` asks for it."""
import http.server
import json
import sys
import urllib.parse

IMAGES = [
    {"name": "tool", "description": "A tool with a description that is longer than a table shows of it", "star_count": 7,
     "is_official": True, "is_automated": False},
    {"name": "someone/tool", "description": "Another", "star_count": 3, "is_official": False, "is_automated": True},
]


class Index(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        answer = {}
        if url.path == "/v1/search":
            limit = int(query.get("n", ["25"])[0])
            found = [image for image in IMAGES if query["q"][0] in image["name"]][:limit]
            answer = {"query": query["q"][0], "num_results": len(found), "results": found}
        body = json.dumps(answer).encode()
        self.send_response(200 if url.path in ("/v1/search", "/v1/_ping") else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Index).serve_forever()
