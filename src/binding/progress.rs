//! A bar on stderr that shows how far a fit is.

use indicatif::{ProgressBar, ProgressStyle};

use crate::nn::fit::{EpochReport, Warning};

const TEMPLATE: &str = "{wide_bar} {pos}/{len} epochs, {msg}, {eta} left";

/// The bar of a fit; nothing where stderr is no terminal.
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar for so many epochs, some of which are done.
    pub fn new(epochs: usize, done: usize) -> Self {
        let style = ProgressStyle::with_template(TEMPLATE).expect("the template is valid");
        let bar = ProgressBar::new(epochs as u64)
            .with_style(style)
            .with_message("…");
        bar.set_position(done as u64);
        bar.reset_eta();
        Bar(bar)
    }

    /// Shows an epoch that has ended.
    pub fn show(&self, report: &EpochReport) {
        if self.0.is_hidden() {
            return;
        }
        let validation = report
            .validation_loss
            .map_or(String::new(), |loss| format!(", validation loss {loss:.4}"));
        let EpochReport {
            loss, learning_rate, ..
        } = report;
        self.0
            .set_message(format!("loss {loss:.4}{validation}, rate {learning_rate:.2e}"));
        self.0.set_position(report.epoch as u64);
    }

    /// Leaves the last state behind, and below it what a person would notice.
    pub fn end(self, warnings: &[Warning]) {
        self.0.abandon();
        if !self.0.is_hidden() {
            for Warning { code, message } in warnings {
                eprintln!("Warning ({code}): {message}");
            }
        }
    }
}
