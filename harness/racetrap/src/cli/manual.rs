//! `racetrap completions` and `racetrap man`.

use clap::Command;
use clap_complete::Shell;
use miette::{IntoDiagnostic as _, WrapErr as _};

use super::exit::{Exit, Failure};
use crate::report::Terminal;

/// Arguments of `completions`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints a script that completes the command line in a shell.
pub(super) fn completions(
    args: &Args,
    mut command: Command,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "racetrap", &mut script);
    terminal.write(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}

/// Prints the man page: the command, and below it every subcommand.
pub(super) fn man(mut command: Command, terminal: Terminal) -> Result<Exit, Failure> {
    command.build();
    let mut page = Vec::new();
    let mut render = || -> std::io::Result<()> {
        let main = clap_mangen::Man::new(command.clone());
        main.render(&mut page)?;
        for subcommand in command.get_subcommands().filter(|it| !it.is_hide_set()) {
            let part = clap_mangen::Man::new(subcommand.clone());
            part.render_synopsis_section(&mut page)?;
            part.render_description_section(&mut page)?;
            part.render_options_section(&mut page)?;
        }
        Ok(())
    };
    render()
        .into_diagnostic()
        .wrap_err("the man page could not be made")
        .map_err(Failure::machine)?;
    terminal.write(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Success)
}
