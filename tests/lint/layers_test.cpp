#include "tests/lint/layers.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <fstream>

using soma::lint::check_includes;
using soma::lint::check_shape;

namespace {

std::size_t includes_found(std::string_view path, std::string_view included) {
  return check_includes(path, "#include " + std::string(included) + "\n").size();
}

}  // namespace

TEST_CASE("a file may include only what its folder sees") {
  struct row {
    std::string_view path, included;
    std::size_t found;
  };
  const row rows[] = {
      {"model/exact/engine.cpp", "\"messages/values/ids.hpp\"", 0},
      {"model/exact/engine.cpp", "\"storage/lmdb/environment.hpp\"", 1},
      {"storage/tables/accounts.cpp", "\"model/scoring/engine.hpp\"", 1},
      {"messages/values/ids.hpp", "\"storage/blobs/store.hpp\"", 1},
      {"messages/values/ids.hpp", "\"messages/wire/frame.hpp\"", 1},
      {"messages/crypto/hash.cpp", "\"messages/codec/codec.hpp\"", 1},
      {"messages/signing/signing.cpp", "\"messages/codec/codec.hpp\"", 0},
      {"actors/ledger/ledger.cpp", "\"actors/rules/fees.hpp\"", 1},
      {"actors/execution/execution_tree.cpp", "\"actors/validator/validator.hpp\"", 1},
      {"actors/rules/settlement.cpp", "\"storage/tables/accounts.hpp\"", 1},
      {"actors/rules/settlement.cpp", "\"actors/consensus/core.hpp\"", 1},
      {"actors/rules/settlement.cpp", "\"actors/rules/fees.hpp\"", 0},
      {"actors/consensus/core.cpp", "\"actors/rules/fees.hpp\"", 1},
      {"actors/validator/validator.cpp", "\"actors/rules/fees.hpp\"", 0},
      {"actors/validator/validator.cpp", "\"deploy/soma/shell/verb.hpp\"", 1},
      {"deploy/soma/main.cpp", "\"actors/localnet/world.hpp\"", 0},
      {"deploy/soma/main.cpp", "\"tests/lint/layers.hpp\"", 1},
      {"tests/storage/tables/kill_test.cpp", "\"storage/lmdb/environment.hpp\"", 0},
      {"actors/router/router.cpp", "\"messages/schema/routing.capnp.h\"", 0},
      {"storage/tables/models.cpp", "\"messages/schema/ledger.capnp.h\"", 1},
      {"model/scoring/engine.cpp", "\"../storage/blobs/store.hpp\"", 1},
      {"model/scoring/engine.cpp", "<vector>", 0},
  };
  for (const auto& r : rows) {
    CAPTURE(r.path);
    CAPTURE(r.included);
    CHECK(includes_found(r.path, r.included) == r.found);
  }
}

TEST_CASE("each third-party header has one door") {
  struct row {
    std::string_view included, door, elsewhere;
  };
  const row rows[] = {
      {"<capnp/message.h>", "messages/wire/message.cpp", "storage/tables/rows.cpp"},
      {"<kj/array.h>", "messages/wire/message.cpp", "actors/mesh/frame.cpp"},
      {"<openssl/evp.h>", "messages/crypto/hash.cpp", "messages/values/ids.cpp"},
      {"<lmdb.h>", "storage/lmdb/environment.cpp", "storage/tables/accounts.cpp"},
      {"<torch/torch.h>", "model/reference/network.cpp", "model/exact/engine.cpp"},
      {"<ATen/Parallel.h>", "model/reference/network.cpp", "deploy/soma/main.cpp"},
      {"<caf/all.hpp>", "actors/router/router.cpp", "actors/rules/fees.cpp"},
      {"<caf/io/all.hpp>", "deploy/soma/main.cpp", "actors/consensus/core.cpp"},
      {"<boost/asio.hpp>", "actors/mesh/mesh.cpp", "deploy/soma/main.cpp"},
      {"<boost/asio/ip/tcp.hpp>", "actors/mesh/mesh.cpp", "actors/validator/validator.cpp"},
      {"<CLI/CLI.hpp>", "deploy/soma/shell/options.cpp", "actors/localnet/world.cpp"},
      {"<toml++/toml.h>", "deploy/soma/shell/config.cpp", "actors/localnet/world.cpp"},
      {"<spdlog/spdlog.h>", "deploy/soma/log.cpp", "storage/lmdb/environment.cpp"},
      {"<doctest/doctest.h>", "tests/lint/layers_test.cpp", "model/scoring/engine.hpp"},
      {"<rapidcheck.h>", "tests/actors/rules_test.cpp", "actors/rules/fees.cpp"},
      {"<tl/expected.hpp>", "messages/values/expected.hpp", "model/scoring/engine.hpp"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.included);
    CHECK(includes_found(r.door, r.included) == 0);
    CHECK(includes_found(r.elsewhere, r.included) == 1);
  }
}

TEST_CASE(
    "an include is found however it is spaced, and only where it stands at the start of a line") {
  CHECK(check_includes("model/a.cpp", "\n  #  include\t<lmdb.h>\n").at(0).line == 2);
  CHECK(check_includes("model/a.cpp",
                       "// #include <lmdb.h>\nconst char* s = \"#include <lmdb.h>\";\n")
            .empty());
}

TEST_CASE("unfinished work, tabs, wide lines and long files are found") {
  const auto found = [](std::string_view text, std::string_view path = "model/a.cpp") {
    return check_shape(path, text).size();
  };
  CHECK(found("int a;\n") == 0);
  CHECK(found(std::string("// TO") + "DO: later\n") == 1);
  CHECK(found(std::string("// autoTO") + "DOs are words\n") == 0);
  CHECK(found("\tint a;\n") == 1);
  CHECK(found("int a; \n") == 1);
  CHECK(found("int a;") == 1);
  CHECK(found(std::string(100, 'x') + "\n") == 0);
  CHECK(found(std::string(101, 'x') + "\n") == 1);
  std::string wide;
  for (int i = 0; i < 100; ++i) wide += "é";
  CHECK(found(wide + "\n") == 0);
  std::string many;
  for (int i = 0; i < 401; ++i) many += "int a;\n";
  CHECK(found(many) == 1);
  CHECK(found(many, "tests/a.cpp") == 0);
}

TEST_CASE("a violation in a tree of files is the only finding") {
  namespace fs = std::filesystem;
  const auto root = fs::temp_directory_path() / ("soma_lint_" + std::to_string(::getpid()));
  fs::create_directories(root / "model/reference");
  fs::create_directories(root / "storage/lmdb");
  std::ofstream(root / "model/reference/a.cpp") << "#include <torch/torch.h>\n";
  std::ofstream(root / "storage/lmdb/b.hpp")
      << "#include <lmdb.h>\n\n#include \"model/scoring/engine.hpp\"\n";
  std::ofstream(root / "storage/lmdb/notes.txt") << "#include \"model/scoring/engine.hpp\"\n";
  const auto found = soma::lint::check_tree(root, check_includes);
  fs::remove_all(root);
  REQUIRE(found.size() == 1);
  CHECK(found[0].path == "storage/lmdb/b.hpp");
  CHECK(found[0].line == 3);
  CHECK(found[0].what == "storage/lmdb may not include model/scoring");
}
