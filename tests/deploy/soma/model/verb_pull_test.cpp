// How `soma model pull` refuses. That what it fetches is the model is shown by
// tests/functional/gateway/blob_process_test.cpp.
#include <doctest/doctest.h>

#include <filesystem>

#include "tests/deploy/soma/binary.hpp"

using soma::support::soma_user;
using soma::support::write_text;

TEST_CASE("a pull that cannot work refuses with a reason, and leaves no file") {
  const soma_user user;
  const auto out = user.at("w.safetensors");
  const auto refused = [&](std::vector<std::string> words, const std::string& said) {
    words.insert(words.begin(), {"model", "pull"});
    const auto ended = user.run(words);
    CAPTURE(ended.err);
    CHECK(ended.exit_code != 0);
    CHECK(ended.err.ends_with("\n"));
    CHECK(ended.err.find(said) != std::string::npos);
  };
  refused({"0x3f9a21c4"}, "--output");
  refused({"-o", out}, "MODEL");
  // Nobody is named, nobody is there, and a stored ledger has no weights.
  refused({"0x3f9a21c4", "-o", out}, "--join");
  refused({"0x3f9a21c4", "-o", out, "--join", "https://127.0.0.1:1"}, "127.0.0.1:1");
  CHECK_FALSE(std::filesystem::exists(out));
  CHECK_FALSE(std::filesystem::exists(out + ".part"));
  write_text(out, "something else");
  refused({"0x3f9a21c4", "-o", out, "--join", "https://127.0.0.1:1"}, "exists");
  refused({"0x3f9a21c4", "-o", user.at("none/w"), "--join", "https://127.0.0.1:1"}, "none");
}
