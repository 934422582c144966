// The program: cistern serve FILE | check FILE | help-config | help-commands | --version
#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "server/command_reference.h"
#include "server/config/load.h"
#include "server/config/reference.h"
#include "server/serve.h"
#include "server/version.h"

namespace {

using namespace cistern;

constexpr int kUsageError = 2;

int Check(const std::string& file) {
  const server::LoadedConfig config = server::LoadConfig(file);
  if (config) return 0;
  std::cerr << server::FormatErrors(config.error());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("cistern: a cache that speaks Redis and fills itself");
  app.set_version_flag("--version", "cistern " + std::string(server::kVersion));
  app.require_subcommand(1);

  std::string file;
  auto* serve = app.add_subcommand("serve", "Run a node until SIGTERM or SIGINT");
  serve->add_option("FILE", file, "Its configuration")->required();
  auto* check = app.add_subcommand("check", "Say all that is wrong with a configuration");
  check->add_option("FILE", file, "The configuration")->required();
  bool markdown = false;
  auto* help_config = app.add_subcommand("help-config", "Every row of the configuration");
  help_config->add_flag("--markdown", markdown, "As docs/configuration.md has it");
  auto* help_commands = app.add_subcommand("help-commands", "Every command that clients may send");
  help_commands->add_flag("--markdown", markdown, "As docs/commands.md has it");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageError;
  }
  if (*serve) return server::Serve(file);
  if (*check) return Check(file);
  if (*help_config) {
    std::cout << (markdown ? server::ConfigReferenceMarkdown() : server::HelpConfig());
  } else {
    std::cout << (markdown ? server::CommandReferenceMarkdown() : server::HelpCommands());
  }
  return std::cout.flush() ? 0 : 1;
}
