r"""Estate -> cgitrc(5) of one container, and the lighttpd.conf before its cgit.cgi.

    /git/cgit.css, .js, .png, robots.txt    files of cgit's
    /git/releases/...                       release files, as they lie in the dataset's folder `releases`
    /git/anything/else.json?h=main          cgit.cgi, with the path as it is: a dot means nothing here
    /git/dots.git, /git/dots.git/info/refs  the same without `.git`, which many write behind what they clone

URLs are rewritten inside the server, never redirected, so cgit.cgi is in no address.
"""

from __future__ import annotations

from provision.render.sockets import sockets
from specs.model import Container, Estate

ABOUT = "/usr/share/cgit/about.md"  # the image's own page, there also when no repository is
REPOSITORIES = "/srv/git"
SHARE = "/usr/share/cgit"
PROGRAM = "/usr/lib/cgit/cgit.cgi"
EXPORTED = "git-daemon-export-ok"  # git-daemon(1)'s mark: a repository without it is private
BLOB_KILOBYTES = 2048
README = [f":{name}" for name in ("README.md", "readme.md", "README", "README.txt", "README.rst")]
# What a README shows comes out of its repository as a picture; all else stays text, or a download.
PICTURES = {"gif": "gif", "jpeg": "jpeg", "jpg": "jpeg", "png": "png", "svg": "svg+xml", "webp": "webp"}
# lowdown leaves a README's javascript: links as they are, and the page is of one origin with the shop: no script but
# cgit's own is run. cgit draws the bars of a diffstat by style attributes.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' https: data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def cgitrc(estate: Estate, container: Container) -> str:
    """Its settings; what stands after scan-path would not count for the repositories it finds."""
    root = _root(container)
    lines = [
        f"virtual-root={root}",
        *(f"{key}={root}cgit.{suffix}" for key, suffix in (("css", "css"), ("js", "js"), ("logo", "png"))),
        "favicon=",
        f"root-title={estate.site.hostname}",
        "root-desc=repositories",
        f"clone-prefix=https://{estate.site.hostname}{root.rstrip('/')}",
        "enable-http-clone=1",
        "enable-index-owner=0",
        "enable-git-config=1",
        "enable-commit-graph=1",
        "enable-blame=0",  # a whole history for one page
        "snapshots=tar.gz zip",
        f"max-blob-size={BLOB_KILOBYTES}",
        "max-commit-count=50",
        "max-atom-items=10",
        "cache-size=0",  # a push is seen at once
        "about-filter=/usr/bin/about",
        f"root-readme={ABOUT}",
        *(f"readme={name}" for name in README),
        *(f"mimetype.{suffix}=image/{kind}" for suffix, kind in PICTURES.items()),
        "remove-suffix=1",
        f"strict-export={EXPORTED}",
        f"scan-path={REPOSITORIES}",
    ]
    return "\n".join(lines) + "\n"


def lighttpd(estate: Estate, container: Container) -> str:
    """The server's configuration. Raises ValueError when no TCP flow ends in `container`."""
    (address, port), *further = sockets(estate, container.name)
    root = _root(container)
    lines = [
        f'server.tag = "{container.name}"',
        f'server.bind = "{address}"',
        f"server.port = {port}",
        f'server.document-root = "{SHARE}"',
        'server.upload-dirs = ("/tmp")',
        "server.max-request-size = 64",  # kilobytes: nothing is ever sent here
        'server.follow-symlink = "disable"',
        'server.feature-flags += ("server.graceful-shutdown-timeout" => 5)',
        'server.modules = ("mod_rewrite", "mod_access", "mod_alias", "mod_setenv", "mod_cgi", "mod_dirlisting")',
        'url.access-deny = ("~")',
        "url.rewrite-once = (",
        f'  "^{root}(cgit\\.css|cgit\\.js|cgit\\.png|robots\\.txt)(?:\\?.*)?$" => "/$1",',
        f'  "^{root}(?!releases/)([^/?]+)\\.git/?$" => "/cgit.cgi/$1/",',
        f'  "^{root}(?!releases/)((?:[^/?]+/){{0,2}}[^/?]+)\\.git(/(?:HEAD|info/refs|objects/)[^?]*)(\\?.*)?$"'
        ' => "/cgit.cgi/$1$2$3",',
        f'  "^{root}(?!releases(?:[/?]|$))([^?]*)(\\?.*)?$" => "/cgit.cgi/$1$2",',
        ")",
        f'alias.url = ("{root}releases" => "{REPOSITORIES}/releases", "/cgit.cgi" => "{PROGRAM}")',
        'cgi.assign = ("/cgit.cgi" => "")',
        'setenv.add-environment = ("HTTPS" => "on")',  # the edge's: so cgit writes its own addresses
        f'$HTTP["url"] =~ "^/cgit\\.cgi/" {{ setenv.add-response-header = ("Content-Security-Policy" => "{POLICY}") }}',
        f'$HTTP["url"] =~ "^{root}releases/" {{ dir-listing.activate = "enable" cgi.assign = () }}',
        'mimetype.assign = (".css" => "text/css", ".js" => "text/javascript", ".png" => "image/png",',
        '  "robots.txt" => "text/plain", "" => "application/octet-stream")',
        *(f'$SERVER["socket"] == "{a}:{p}" {{ }}' for a, p in further),
    ]
    return "\n".join(lines) + "\n"


def _root(container: Container) -> str:
    return container.web.path if container.web else "/"
