#include "actors/documents/rows.hpp"

#include <doctest/doctest.h>

#include "messages/codec/codec.hpp"
#include "messages/codec/codec_proofs.hpp"

using namespace soma;

TEST_CASE("tables have one name each, and a name leads back to its table") {
  for (const auto& name : documents::table_names()) {
    CAPTURE(name);
    const auto table = documents::table_named(name);
    REQUIRE(table);
    CHECK(documents::table_name(table_prefix(*table)) == name);
  }
  CHECK(!documents::table_named("row"));
  CHECK(documents::table_name(bytes{250}) == "row");
  CHECK(documents::table_name({}) == "row");
}

TEST_CASE("a row shows its fields, and anything else shows nothing") {
  const auto key = account_key(address{{1}});
  const auto row = encode(account_row{shannons{5'000}, 3});
  const auto shown = documents::row_fields(key, row);
  CHECK(shown.find("balance_shannons")->plain() == "5000");
  CHECK(shown.find("nonce")->plain() == "3");
  for (std::size_t size = 0; size < row.size(); ++size) {
    CAPTURE(size);
    CHECK(documents::row_fields(key, byte_view(row).first(size)).is_null());
  }
  CHECK(documents::row_fields({}, row).is_null());
  CHECK(documents::row_fields(bytes{250, 1}, row).is_null());
}

TEST_CASE("a proof of absence says so, with all that leads to the state root") {
  proven_row absent;
  absent.header.height = block_height{8};
  absent.key = account_key(address{{1}});
  absent.proof.leaf = {{hash256{{1}}, hash256{{2}}}};
  absent.proof.siblings = {hash256{{3}}, hash256{{4}}};
  absent.proof.totals = {10, 2'000};
  const auto shown = documents::proof_json(absent);
  CHECK(shown.find("height")->plain() == "8");
  CHECK(shown.find("table")->plain() == "account");
  CHECK(!*shown.find("present")->as_bool());
  CHECK(shown.find("row")->is_null());
  CHECK(shown.find("leaf")->as_array()->size() == 1);
  CHECK(shown.find("siblings")->as_array()->size() == 2);
  CHECK(shown.find("ledger_rows")->plain() == "10");
}

TEST_CASE("the pages of a list show their ids") {
  const auto key = list_key({list_kind::open_targets, 2});
  const auto shown = documents::row_fields(key, encode(list_row{{hash256{{1}}, hash256{{2}}}}));
  REQUIRE(shown.find("ids")->as_array()->size() == 2);
  CHECK(shown.find("ids")->as_array()->at(1).plain() == hash256{{2}}.text());
}
