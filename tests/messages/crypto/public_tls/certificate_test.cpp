#include "messages/crypto/public_tls/certificate.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/scratch.hpp"

using namespace soma;
using crypto::certificate_refusal;

namespace {

mode_t mode_of(const std::filesystem::path& file) {
  struct stat facts {};
  REQUIRE(::stat(file.c_str(), &facts) == 0);
  return facts.st_mode & 07777;
}

}  // namespace

TEST_CASE("a new certificate keeps the key that is there, and with it the pin") {
  const test::scratch_directory folder;
  const auto key = folder.path() / "deep" / "server.key";
  const crypto::certificate_files first{folder.path() / "a.pem", key};
  REQUIRE(public_tls::make_self_signed(first, {"gateway.example", "::1", "127.0.0.1"}));
  CHECK(mode_of(first.key) == 0600);
  CHECK(mode_of(first.certificate) == 0644);

  const auto again = public_tls::make_self_signed(first, {"gateway.example"});
  REQUIRE(!again);
  CHECK(again.error().why == certificate_refusal::already_exists);

  const crypto::certificate_files second{folder.path() / "b.pem", key};
  REQUIRE(public_tls::make_self_signed(second, {"other.example"}));
  const auto pin = public_tls::pin_of(first.certificate);
  REQUIRE(pin.has_value());
  CHECK(public_tls::pin_of(second.certificate).value() == *pin);

  const crypto::certificate_files other{folder.path() / "c.pem", folder.path() / "c.key"};
  REQUIRE(public_tls::make_self_signed(other, {"gateway.example"}));
  CHECK(public_tls::pin_of(other.certificate).value() != *pin);
}

TEST_CASE("names that are none, and files that hold something else, are refused by name") {
  const test::scratch_directory folder;
  const crypto::certificate_files files{folder.path() / "a.pem", folder.path() / "a.key"};
  for (const std::string bad : {"", "a,IP:1.2.3.4", "a b", ".a", "-a", "ä", "*.example"}) {
    CAPTURE(bad);
    const auto made = public_tls::make_self_signed(files, {"good.example", bad});
    REQUIRE(!made);
    CHECK(made.error().why == certificate_refusal::bad_name);
  }
  CHECK(public_tls::make_self_signed(files, {}).error().why == certificate_refusal::bad_name);
  CHECK(!std::filesystem::exists(files.key));
  CHECK(public_tls::pin_of(files.certificate).error().why == certificate_refusal::not_found);

  std::ofstream(files.key) << "no key";
  ::chmod(files.key.c_str(), 0600);
  CHECK(public_tls::make_self_signed(files, {"a.example"}).error().why ==
        certificate_refusal::no_key);
  ::chmod(files.key.c_str(), 0644);
  CHECK(public_tls::make_self_signed(files, {"a.example"}).error().why ==
        certificate_refusal::open_to_others);
  std::ofstream(files.certificate) << "no certificate";
  CHECK(public_tls::pin_of(files.certificate).error().why == certificate_refusal::no_certificate);
}
