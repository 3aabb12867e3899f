// The operator's own certificate authority, and the certificates of its processes. A process needs
// a certificate of this authority to join the cluster.
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/report.hpp"
#include "deploy/soma/source/new_folders.hpp"
#include "deploy/soma/verbs.hpp"
#include "messages/crypto/x509.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

unexpected<failure> refused(std::string what, const crypto::certificate_fault& fault) {
  using enum crypto::certificate_refusal;
  const auto* remedy = "make an authority with `soma node new-ca`, or name its folder with --ca";
  if (fault.why == already_exists) remedy = "remove it first if it is not used any more";
  if (fault.why == not_writable) remedy = "name a folder you may write to";
  if (fault.why == no_room) remedy = "make room, or name a folder on another disk";
  if (fault.why == bad_name || fault.why == authority_name) remedy = "choose another name";
  if (fault.why == not_readable) remedy = "check that it is a file that you may read";
  if (fault.why == open_to_others) remedy = "keep the key for yourself: chmod 600 it";
  if (fault.why == encrypted_key) remedy = "store the key without a passphrase, with mode 600";
  const auto where = fault.file.empty() ? "" : fault.file.string() + ": ";
  return failed(std::move(what), where + std::string(to_text(fault.why)), remedy);
}

void print_files(const run_context& context, const crypto::certificate_files& files) {
  remember_done("made " + files.certificate.string() + " and " + files.key.string());
  if (context.wants_json) {
    print_line(json::of({{"certificate", files.certificate.string()}, {"key", files.key.string()}})
                   .text());
    return;
  }
  print_line("certificate  " + files.certificate.string());
  print_line("key          " + files.key.string());
}

class node_new_ca final : public verb {
 public:
  std::string_view name() const override { return "node new-ca"; }
  std::string_view summary() const override {
    return "make the certificate authority of this operator's cluster";
  }
  std::string_view example() const override {
    return "soma node new-ca\nsoma node new-ca --ca /etc/soma/ca";
  }
  void declare(option_set& options) override {
    options.add("ca", folder_, "folder for ca.pem and ca.key; default: ca in the home")
        .shown_as("FOLDER");
  }
  outcome run(const run_context& context) override {
    const auto folder = folder_.empty() ? context.home / "ca" : folder_;
    new_folders made_folders(folder);
    const auto made = crypto::make_ca(folder);
    if (!made)
      return refused("cannot make a certificate authority in " + folder.string(), made.error());
    made_folders.keep();
    print_files(context, *made);
    note_line("Keep the key on this machine: with it one can make certificates for the cluster.");
    return {};
  }

 private:
  fs::path folder_;
};

class node_new_cert final : public verb {
 public:
  std::string_view name() const override { return "node new-cert"; }
  std::string_view summary() const override {
    return "make the certificate of one process of the cluster";
  }
  std::string_view example() const override {
    return "soma node new-cert scorer-1\nsoma node new-cert scorer-1 --ca /etc/soma/ca "
           "--output-dir "
           "/tmp/scorer-1";
  }
  void declare(option_set& options) override {
    options.add("name", name_, "name of the process: 1 to 63 characters of a-z A-Z 0-9 . _ -")
        .positional()
        .required()
        .shown_as("NAME");
    options.add("ca", ca_, "folder of the authority; default: ca in the home").shown_as("FOLDER");
    options
        .add("output-dir", out_,
             "folder for NAME.pem and NAME.key; default: certificates in the home")
        .also_named("out")
        .shown_as("FOLDER");
  }
  outcome run(const run_context& context) override {
    const auto ca = ca_.empty() ? context.home / "ca" : ca_;
    const auto out = out_.empty() ? context.home / "certificates" : out_;
    new_folders made_folders(out);
    const auto made = crypto::make_certificate(ca, name_, out);
    if (!made) return refused("cannot make a certificate for " + name_, made.error());
    made_folders.keep();
    print_files(context, *made);
    return {};
  }

 private:
  std::string name_;
  fs::path ca_, out_;
};

}  // namespace

std::unique_ptr<verb> make_node_new_ca() {
  return std::make_unique<node_new_ca>();
}
std::unique_ptr<verb> make_node_new_cert() {
  return std::make_unique<node_new_cert>();
}

}  // namespace soma::cli
