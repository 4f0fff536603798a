# SPDX-License-Identifier: Apache-2.0
"""Images: built, moved to and from a registry and archives, looked at, removed."""
import io
import os
import tarfile
import tempfile

from docker.errors import APIError, BuildError, DockerException, ImageNotFound, NotFound

REGISTRY = "127.0.0.1:5000"


def context(t, **files):
    folder = tempfile.mkdtemp(prefix=t.name("context"))
    for name, text in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    return folder


def forget(t, *names):
    for name in names:
        t.later(lambda name=name: t.client.images.remove(name, force=True))


def build(t):
    images, tag = t.client.images, t.name("built:v1")
    forget(t, tag, t.name("stage"), t.name("bare"))
    folder = context(t, Other="FROM busybox AS first\nARG word=none\nRUN echo \"word is $word\" >/word\nFROM first\nCOPY content /content\n"
                     "CMD [\"cat\", \"/word\", \"/content\"]\n", content="from the context\n", ignored="", **{".dockerignore": "ignored\n"})
    image, said = images.build(path=folder, dockerfile="Other", tag=tag, buildargs={"word": "spoken"}, labels={"of": t.prefix}, rm=True)
    said = list(said)
    t.equal("build: the image", (image.tags, image.labels), ([tag], {"of": t.prefix}))
    t.has("build: what it said", "Successfully built", "".join(line.get("stream", "") for line in said))
    t.equal("build: the id among it", [line["aux"]["ID"] for line in said if "aux" in line][-1], image.id)
    t.equal("what was built runs", t.client.containers.run(tag, remove=True), b"word is spoken\nfrom the context\n")
    again, said = images.build(path=folder, dockerfile="Other", tag=tag, buildargs={"word": "spoken"}, labels={"of": t.prefix}, rm=True)
    t.equal("a second build has the same id", again.id, image.id)
    t.has("from the cache", "Using cache", "".join(line.get("stream", "") for line in said))
    stage, _ = images.build(path=folder, dockerfile="Other", target="first", tag=t.name("stage"), nocache=True, rm=True)
    t.equal("build of a stage", t.client.containers.run(stage.tags[0], "cat /word", remove=True), b"word is none\n")
    bare, _ = images.build(fileobj=io.BytesIO(b"FROM busybox\nCMD [\"echo\", \"bare\"]\n"), tag=t.name("bare"), rm=True)
    t.equal("build of a Dockerfile alone", t.client.containers.run(bare.tags[0], remove=True), b"bare\n")
    t.raises("a step that fails", BuildError, lambda: images.build(fileobj=io.BytesIO(b"FROM busybox\nRUN exit 7\n"), rm=True, forcerm=True),
             text="returned a non-zero code: 7")
    t.raises("a Dockerfile that makes no sense", APIError, lambda: images.build(fileobj=io.BytesIO(b"NONSENSE\n")), None, "NONSENSE")
    pieces = t.client.api.build(fileobj=io.BytesIO(b"FROM busybox\nRUN echo low level\n"), rm=True, decode=True)
    t.has("build by the low-level client", "low level", "".join(piece.get("stream", "") for piece in pieces))
    t.equal("build cache is pruned", images.prune_builds()["SpaceReclaimed"] >= 0, True)


def registry(t):
    images, repository = t.client.images, "%s/%s" % (REGISTRY, t.name("box"))
    forget(t, repository + ":v1", repository + ":v2")
    box = images.get("busybox")
    t.equal("tag", (box.tag(repository, "v1"), box.tag(repository, "v2")), (True, True))
    said = list(images.push(repository, tag="v1", stream=True, decode=True))
    t.has("push", "digest: sha256:", " ".join(line.get("status", "") for line in said))
    t.equal("push: the digest among it", [line["aux"]["Tag"] for line in said if "aux" in line], ["v1"])
    t.has("push of what one has credentials for", "digest: sha256:", images.push(repository, "v2", auth_config={"username": "u", "password": "p"}))
    t.has("push of what is not there", "does not exist", images.push(repository, "absent"))
    for tag in ("v1", "v2"):
        images.remove("%s:%s" % (repository, tag))
    t.raises("remove", ImageNotFound, lambda: images.get(repository + ":v1"), 404, "No such image: %s:v1" % repository)
    t.equal("pull", images.pull(repository, tag="v1").id, box.id)
    t.has("pull of a digest", box.id, [images.pull(images.get(repository + ":v1").attrs["RepoDigests"][0]).id])
    t.equal("pull of all tags", sorted(tag for image in images.pull(repository, all_tags=True) for tag in image.tags if tag.startswith(repository)),
            [repository + ":v1", repository + ":v2"])
    said = list(t.client.api.pull(repository, "v1", stream=True, decode=True))
    t.has("pull tells how it ended", "Image is up to date", said[-1]["status"])
    data = images.get_registry_data(repository + ":v1")
    t.ok("what the registry knows", data.id.startswith("sha256:") and data.has_platform("linux/amd64"), data.attrs)
    t.raises("pull of what is not there", NotFound, lambda: images.pull(repository, tag="absent"), 404, "manifest")
    t.raises("the registry does not know what is not there", APIError, lambda: images.get_registry_data(repository + ":absent"), None, "manifest")
    t.raises("search without the hub", APIError, lambda: images.search("busybox"), 500)
    t.equal("login", t.client.login("user", "secret", registry=REGISTRY)["Status"], "Login Succeeded")


def archive_of(name, text):
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    return memory.getvalue()


def archives(t):
    images, api, name = t.client.images, t.client.api, t.name("saved:v1")
    forget(t, name, t.name("imported:v1"))
    made, _ = images.build(fileobj=io.BytesIO(b"FROM busybox\nRUN echo %s >/own\n" % t.prefix.encode()), tag=name, rm=True)
    saved = b"".join(made.save(named=True))
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
        t.has("save", name, archive.extractfile("manifest.json").read().decode())
    images.remove(name)
    t.raises("it is gone", ImageNotFound, lambda: images.get(name))
    loaded = images.load(saved)
    t.equal("load", [(image.id, image.tags) for image in loaded], [(made.id, [name])])
    t.equal("it runs", t.client.containers.run(name, "cat /own", remove=True), t.prefix.encode() + b"\n")
    t.raises("load of garbage", DockerException, lambda: images.load(b"garbage" * 1000), text="archive/tar")
    t.has("import", "sha256:", api.import_image_from_data(archive_of("hello", b"hello\n"), repository=t.name("imported"), tag="v1"))
    t.equal("it has its name", images.get(t.name("imported:v1")).tags, [t.name("imported:v1")])
    t.equal("and one layer", len(images.get(t.name("imported:v1")).history()), 1)


def looks(t):
    images = t.client.images
    box = images.get("busybox")
    for word, key in (("name", "busybox:latest"), ("id", box.id), ("short id", box.short_id), ("id without its kind", box.id[7:])):
        t.equal("get by " + word, images.get(key).id, box.id)
    t.equal("history", [step["CreatedBy"] for step in box.history()], ["busybox"])
    t.equal("list by name", [image.id for image in images.list(name="busybox")], [box.id])
    t.equal("list by reference", [image.id for image in images.list(filters={"reference": "busybox:*"})], [box.id])
    t.equal("list by a label that none has", images.list(filters={"label": t.prefix}), [])
    t.has("list", box.id, [image.id for image in images.list()])
    t.equal("list: each once", len({image.id for image in images.list()}), len(images.list()))
    t.raises("list by a filter that there is not", APIError, lambda: images.list(filters={"bogus": "1"}), 400, "bogus")
    t.raises("an image that is not there", ImageNotFound, lambda: images.get(t.name("none")), 404, "No such image: " + t.name("none"))
    t.raises("remove of one that is not there", ImageNotFound, lambda: images.remove(t.name("none")), 404, "No such image")
    t.raises("tag of one that is not there", ImageNotFound, lambda: t.client.api.tag(t.name("none"), "x"), 404, "No such image")
    t.raises("a name that cannot be one", APIError, lambda: images.get("UPPER"), 400, "invalid reference format")
    using = t.client.containers.create("busybox", name=t.name("using"))
    t.later(lambda: using.remove(force=True))
    t.raises("remove of one in use", APIError, lambda: images.remove(box.id), 409, "conflict")


def prune(t):
    images, name = t.client.images, t.name("dangling")
    forget(t, name)
    source = b"FROM busybox\nLABEL of=%s number=%d\nRUN echo %d >/number\n"
    for number in (1, 2):
        images.build(fileobj=io.BytesIO(source % (t.prefix.encode(), number, number)), tag=name, rm=True)
    mine = {"dangling": True, "label": "of=" + t.prefix}
    t.until("list of what has no name", lambda: len(images.list(filters=mine)) == 1)
    dangling = images.list(filters=mine)[0].id
    answer = images.prune(filters=mine)
    t.has("prune", dangling, [entry.get("Deleted") for entry in answer["ImagesDeleted"]])
    t.equal("nothing is left of it", images.list(filters=mine), [])


GROUPS = [build, registry, archives, looks, prune]
