#include "deploy/soma/inspect/proof_report.hpp"

#include "actors/documents/rows.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/units.hpp"
#include "messages/codec/codec_proofs.hpp"
#include "messages/signing/signing.hpp"

namespace soma::cli {

using documents::row_fields;
using documents::table_name;

void print_proof(const proven_row& proven) {
  const auto& header = proven.header;
  const std::string name(table_name(proven.key));
  table facts({"", painted(proven.value ? name : "no such " + name, colour::bold, stream::out)});
  facts.row({"key", "0x" + to_hex(proven.key)});
  if (proven.value) {
    const auto fields = row_fields(proven.key, *proven.value);
    if (const auto* members = fields.as_object()) {
      for (const auto& [what, content] : *members) facts.row({what, content.plain()});
    }
    facts.row({"value",
               std::to_string(proven.value->size()) + " bytes, " + "0x" + to_hex(*proven.value)});
  }
  facts.row({"height", std::to_string(header.height.value)});
  facts.row({"block", signing::id_of(header).text()});
  facts.row({"state root", header.state_root.text()});
  facts.row({"ledger", count_text(proven.proof.totals.rows) + " rows, " +
                           to_text(byte_count{proven.proof.totals.bytes})});
  facts.row({"proof", std::to_string(proven.proof.siblings.size()) + " siblings above a leaf of " +
                          std::to_string(proven.proof.leaf.size()) + " rows, " +
                          std::to_string(encode(proven.proof).size()) + " bytes"});
  facts.print();
}

}  // namespace soma::cli
