# SPDX-License-Identifier: GPL-2.0-or-later
{
  description = "Builds, proves, signs and publishes a QEMU RPM that carries a PCI device of your own";

  # Its rustc must be at least what Cargo.toml's `rust-version` says.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { nixpkgs, ... }:
    let
      inherit (nixpkgs) lib;

      forEachSystem =
        f:
        lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (
          system: f nixpkgs.legacyPackages.${system}
        );

      cargo = builtins.fromTOML (builtins.readFile ./Cargo.toml);
      manifest = cargo.package // cargo.workspace.package;

      vgpu-pipeline =
        pkgs:
        pkgs.rustPlatform.buildRustPackage {
          pname = manifest.name;
          inherit (manifest) version;

          # What cargo reads, what the program carries inside (the default pipeline with its spec,
          # Containerfile, device and contract, and the files for a dom0), and the fixtures of its unit tests.
          src = lib.fileset.toSource {
            root = ./.;
            fileset = lib.fileset.unions [
              ./Cargo.lock
              ./Cargo.toml
              ./containers/debian-12.Containerfile
              ./device/vgpu-stub.c
              ./device/vgpu-stub.yaml
              ./pipeline
              ./tests
              ./wrapper
            ];
          };
          cargoLock.lockFile = ./Cargo.lock;

          # The integration tests start containers, which a Nix build cannot, and some unit tests
          # rpmbuild, gpg and createrepo_c; `tests/run` has them all.
          cargoTestFlags = [
            "--workspace"
            "--bins"
            "--lib"
          ];
          checkFlags = [ "--skip=::tools::" ];

          meta = {
            inherit (manifest) description;
            license = lib.licenses.gpl2Plus;
            mainProgram = manifest.name;
            platforms = lib.platforms.linux;
          };
        };
    in
    {
      packages = forEachSystem (pkgs: {
        default = vgpu-pipeline pkgs;
      });

      apps = forEachSystem (pkgs: {
        default = {
          type = "app";
          program = lib.getExe (vgpu-pipeline pkgs);
          meta.description = manifest.description;
        };
      });

      # The tools that a run starts come along. `debian:` sources and bases also want the host's
      # apt with its own sources: there, the host is a Debian one.
      devShells = forEachSystem (pkgs: {
        default = pkgs.mkShell {
          packages = [
            pkgs.cargo
            pkgs.clippy
            pkgs.rustc
            pkgs.rustfmt

            pkgs.cpio
            pkgs.createrepo_c
            pkgs.curl
            pkgs.distribution
            pkgs.git
            pkgs.gnupg
            pkgs.mmdebstrap
            pkgs.pciutils
            pkgs.podman
            pkgs.rpm
            pkgs.util-linux
          ];
        };
      });

      formatter = forEachSystem (pkgs: pkgs.nixfmt-tree);
    };
}
