// Keys and certificates on disk.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "messages/crypto/key_file.hpp"
#include "messages/crypto/x509.hpp"

namespace soma::crypto {
namespace {

namespace fs = std::filesystem;

struct folder {
  fs::path path;
  folder() {
    std::string name = (fs::temp_directory_path() / "soma-keys-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~folder() { fs::remove_all(path); }
};

std::string content_of(const fs::path& file) {
  std::ostringstream out;
  out << std::ifstream(file, std::ios::binary).rdbuf();
  return out.str();
}

void overwrite(const fs::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
}

int mode_of(const fs::path& file) {
  struct stat facts {};
  REQUIRE(::stat(file.c_str(), &facts) == 0);
  return facts.st_mode & 07777;
}

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
}

}  // namespace

// By security §10.1 a key file is encrypted, and only its owner may read it.
TEST_CASE("a key comes back from its file, with its passphrase and with no other") {
  const folder home;
  seeded_random random(1);
  const auto key = key_pair::generate(random);
  const auto file = home.path / "key.pem";
  REQUIRE(save_key(file, key, "open sesame"));
  CHECK(mode_of(file) == 0600);
  CHECK(files_in(home.path) == 1);  // no other file lies beside it
  CHECK(content_of(file).starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
  const auto loaded = load_key(file, "open sesame");
  REQUIRE(loaded);
  CHECK(loaded->public_half() == key.public_half());
  CHECK(load_key(file, "open sesam").error() == key_file_refusal::wrong_passphrase);
  CHECK(load_key(file, "").error() == key_file_refusal::wrong_passphrase);
  CHECK(load_key(file, std::nullopt).error() == key_file_refusal::passphrase_needed);
}

TEST_CASE("a key may be stored unencrypted if its owner says so") {
  const folder home;
  seeded_random random(2);
  const auto key = key_pair::generate(random);
  const auto file = home.path / "key.pem";
  REQUIRE(save_key(file, key, std::nullopt));
  CHECK(mode_of(file) == 0600);
  CHECK(content_of(file).starts_with("-----BEGIN PRIVATE KEY-----"));
  CHECK(load_key(file, std::nullopt)->public_half() == key.public_half());
  CHECK(load_key(file, "not needed")->public_half() == key.public_half());
}

// By security §10.1 each refusal of a key file has its name.
TEST_CASE("a key file is never overwritten, and every reason for having no key has a name") {
  const folder home;
  seeded_random random(3);
  const auto key = key_pair::generate(random);
  const auto file = home.path / "key.pem";
  REQUIRE(save_key(file, key, std::nullopt));
  const auto before = content_of(file);
  CHECK(save_key(file, key_pair::generate(random), std::nullopt).error() ==
        key_file_refusal::already_exists);
  CHECK(content_of(file) == before);
  CHECK(files_in(home.path) == 1);
  CHECK(save_key(home.path / "none" / "key.pem", key, std::nullopt).error() ==
        key_file_refusal::not_writable);
  CHECK(save_key(home.path / "other.pem", key, "").error() == key_file_refusal::passphrase_empty);
  for (const std::size_t size : {max_passphrase_bytes + 1, std::size_t{4'096}}) {
    CHECK(save_key(home.path / "other.pem", key, std::string(size, 'p')).error() ==
          key_file_refusal::passphrase_too_long);
  }
  CHECK_FALSE(std::filesystem::exists(home.path / "other.pem"));
  CHECK(load_key(home.path / "missing.pem", std::nullopt).error() == key_file_refusal::not_found);
  CHECK(load_key(home.path, std::nullopt).error() == key_file_refusal::not_readable);
  REQUIRE(::chmod(file.c_str(), 0640) == 0);
  CHECK(load_key(file, std::nullopt).error() == key_file_refusal::open_to_others);
  REQUIRE(::chmod(file.c_str(), 0600) == 0);
  overwrite(file, std::string(max_key_file_bytes + 1, 'x'));
  CHECK(load_key(file, std::nullopt).error() == key_file_refusal::not_a_key);
  overwrite(file, "no key at all");
  CHECK(load_key(file, std::nullopt).error() == key_file_refusal::not_a_key);
}

TEST_CASE("a damaged key file gives the key or a refusal, never another key") {
  const folder home;
  seeded_random random(4);
  const auto key = key_pair::generate(random);
  const auto file = home.path / "key.pem";
  REQUIRE(save_key(file, key, std::nullopt));
  const auto whole = content_of(file);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    overwrite(file, whole.substr(0, size));
    const auto loaded = load_key(file, std::nullopt);
    REQUIRE((!loaded || loaded->public_half() == key.public_half()));
  }
}

// By security §1.2 certificate, key and authority have to match.
TEST_CASE("an operator's certificates are trusted by its own CA and by no other") {
  const folder home;
  const auto ca = make_ca(home.path / "ca");
  REQUIRE(ca);
  const auto other_ca = make_ca(home.path / "other");
  REQUIRE(other_ca);
  const auto node = make_certificate(home.path / "ca", "node-1", home.path / "nodes");
  REQUIRE(node);
  CHECK(node->certificate == home.path / "nodes" / "node-1.pem");
  CHECK(mode_of(ca->key) == 0600);
  CHECK(mode_of(node->key) == 0600);
  CHECK(mode_of(node->certificate) == 0644);
  CHECK(check_certificate(ca->certificate, *node));
  const auto fault = [](const fs::path& authority, const certificate_files& files) {
    const auto checked = check_certificate(authority, files);
    REQUIRE_FALSE(checked);
    return checked.error();
  };
  CHECK(fault(other_ca->certificate, *node).why == certificate_refusal::other_ca);
  CHECK(fault(other_ca->certificate, *node).file == node->certificate);
  CHECK(fault(node->certificate, *node).why == certificate_refusal::not_an_authority);
  const auto second = make_certificate(home.path / "ca", "node-2", home.path / "nodes");
  REQUIRE(second);
  CHECK(fault(ca->certificate, {node->certificate, second->key}).why ==
        certificate_refusal::other_key);
  CHECK(fault(home.path / "none.pem", *node).why == certificate_refusal::not_found);
  CHECK(fault(home.path / "none.pem", *node).file == home.path / "none.pem");
  CHECK(fault(ca->certificate, {ca->key, node->key}).why == certificate_refusal::no_certificate);
  CHECK(fault(ca->certificate, {node->certificate, node->certificate}).why ==
        certificate_refusal::open_to_others);
  // A file with several authorities trusts all of them.
  overwrite(home.path / "both.pem",
            content_of(other_ca->certificate) + content_of(ca->certificate));
  CHECK(check_certificate(home.path / "both.pem", *node));
}

// By security §10.2 no file of an authority is overwritten.
TEST_CASE("certificates are not overwritten, and a CA is needed to make one") {
  const folder home;
  const auto ca = make_ca(home.path);
  REQUIRE(ca);
  CHECK(make_ca(home.path).error().why == certificate_refusal::already_exists);
  REQUIRE(make_certificate(home.path, "a", home.path));
  CHECK(make_certificate(home.path, "a", home.path).error().why ==
        certificate_refusal::already_exists);
  const std::string too_long(64, 'a');
  for (const std::string& name : std::initializer_list<std::string>{"", ".hidden", "../up", "a/b",
                                                                    "a b", "a,DNS:x", too_long}) {
    CAPTURE(name);
    CHECK(make_certificate(home.path, name, home.path).error().why ==
          certificate_refusal::bad_name);
  }
  CHECK(make_certificate(home.path, "ca", home.path).error().why ==
        certificate_refusal::authority_name);
  CHECK(make_certificate(home.path / "none", "b", home.path).error().why ==
        certificate_refusal::not_found);
  // The certificate of a node may not sign other certificates.
  const auto node = make_certificate(home.path, "b", home.path / "b");
  REQUIRE(node);
  fs::rename(node->certificate, home.path / "b" / "ca.pem");
  fs::rename(node->key, home.path / "b" / "ca.key");
  CHECK(make_certificate(home.path / "b", "c", home.path).error().why ==
        certificate_refusal::not_an_authority);
}

}  // namespace soma::crypto
