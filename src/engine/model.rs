//! What networks of the same architecture share, whatever their precision. Networks themselves are buffers of their host
//! (see [`super::layout`]).

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use slab::Slab;

use crate::engine::data_set::{DataSet, own};
use crate::engine::layout::{LEARNING_RATE, Layout, split};
use crate::engine::run::{Job, Training};
use crate::engine::trainer::{Background, Keeper, Trainer};
use crate::format::{Format, Stored};
use crate::nn::data::Data;
use crate::nn::evaluation;
use crate::nn::fit::{self, Session, Start};
use crate::nn::host::archive;
use crate::nn::network::options::Precision;
use crate::nn::network::{Network, initialize, weights};
use crate::nn::pass::online;
use crate::nn::pass::prediction::Predictor;
use crate::nn::vector::memory::Aligned;
use crate::nn::{Architecture, Error, Evaluation, NetworkOptions, Real, Result, Workspace};

/// The most memory that is kept from one fit to the next.
const SPARE_BYTES: usize = 64 << 20;

/// What all networks of one architecture share, whatever their precision. Every `buffer` is a network's.
pub trait Model {
    /// The shape of the networks.
    fn architecture(&self) -> &Architecture;
    /// The parts of their buffers.
    fn layout(&self) -> &Layout;
    /// About how much memory the model takes.
    fn bytes(&self) -> usize;
    /// Predicts from the inputs in `buffer` into its outputs.
    fn predict(&mut self, buffer: &mut [u8]) -> Result<()>;
    /// Trains on the inputs and targets in `buffer`.
    fn train(&mut self, buffer: &mut [u8]) -> Result<()>;
    /// Fills the values in `buffer` with the starting ones that `seed` determines.
    fn initialize(&self, buffer: &mut [u8], seed: u64) -> Result<()>;
    /// Copies the values in `buffer` out in the users' order.
    fn export(&self, buffer: &mut [u8], out: &mut [f64]) -> Result<()>;
    /// Takes `values` in the users' order; or the place of the first that the precision cannot hold, and
    /// nothing is changed.
    fn import(&self, buffer: &mut [u8], values: &[f64]) -> Result<Option<usize>>;
    /// The bytes of a file with the network of `buffer` in it.
    fn write(&self, buffer: &mut [u8], format: Format, seed: u64) -> Result<Vec<u8>>;
    /// What writes a file with the network as it is now, on any thread.
    fn saver(&self, buffer: &mut [u8], format: Format, seed: u64, path: PathBuf) -> Result<Background>;
    /// Takes the numbers of the file of this `name`. If it fails, those in `buffer` are of no use.
    fn fill(&self, buffer: &mut [u8], stored: &Stored, name: &str) -> Result<()>;
    /// Predicts for all rows of `inputs` into `outputs`, unless stopped; or the place of the first input that is not
    /// finite.
    fn predict_batch_f64(
        &mut self,
        buffer: &mut [u8],
        inputs: &[f64],
        outputs: &mut [f64],
        is_stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<usize>>;
    /// The same for single precision.
    fn predict_batch_f32(
        &mut self,
        buffer: &mut [u8],
        inputs: &[f32],
        outputs: &mut [f32],
        is_stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<usize>>;
    /// An empty data set for the networks.
    fn data(&self, is_of_gradients: bool) -> Box<dyn DataSet>;
    /// A trainer of the network of `buffer`.
    fn trainer(&self, buffer: &mut [u8], start: &Start, given: Value) -> Result<Box<dyn Trainer>>;
    /// A training run from the values in `buffer`, which is only read.
    fn fit(
        &mut self,
        buffer: &mut [u8],
        start: &Start,
        data: Box<dyn DataSet>,
        held_out: Option<Box<dyn DataSet>>,
    ) -> Result<Box<dyn Job>>;
    /// What prepares a run that is resumed from a checkpoint, on any thread: it gives a `Box<dyn Job>`.
    fn resume(
        &self,
        start: &Start,
        data: Box<dyn DataSet>,
        held_out: Option<Box<dyn DataSet>>,
    ) -> Result<Background>;
    /// Keeps the memory of a run that is over for the next one, if it is not too much.
    fn keep(&mut self, job: Box<dyn Job>);
    /// The measures of the values in `buffer`; nothing if stopped.
    fn evaluate(
        &self,
        buffer: &mut [u8],
        data: Box<dyn DataSet>,
        is_stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Evaluation>>;
}

/// The model of the networks of `options`.
pub fn model(options: &NetworkOptions) -> Result<Box<dyn Model>> {
    Ok(match options.precision {
        Precision::F64 => Box::new(Plan::<f64>::new(options)?),
        Precision::F32 => Box::new(Plan::<f32>::new(options)?),
    })
}

struct Plan<T> {
    architecture: Arc<Architecture>,
    layout: Layout,
    workspace: Workspace<T>,
    /// Made at the first `predict_batch`.
    predictor: Option<Predictor<T>>,
    /// Of the last fit: the system takes and gives memory by the page, which can take longer than a short fit.
    spare: Option<Session<T>>,
}

impl<T: Real> Plan<T> {
    fn new(options: &NetworkOptions) -> Result<Self> {
        let architecture = Architecture::new(options)?;
        let (layout, workspace) = (Layout::new(&architecture), Workspace::new(&architecture)?);
        Ok(Plan {
            architecture: Arc::new(architecture),
            layout,
            workspace,
            predictor: None,
            spare: None,
        })
    }

    fn predict_batch<U: Real>(
        &mut self,
        buffer: &mut [u8],
        inputs: &[U],
        outputs: &mut [U],
        is_stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<usize>> {
        let (_, values) = split::<T>(buffer, &self.layout)?;
        let architecture = &self.architecture;
        let (width, units) = (architecture.input_count(), architecture.output_count());
        if !inputs.len().is_multiple_of(width) || outputs.len() != inputs.len() / width * units {
            return Err(Error::internal("whole rows", "predictBatch", inputs.len()));
        }
        let predictor = match &mut self.predictor {
            Some(predictor) => predictor,
            none => none.insert(Predictor::new(architecture)?),
        };
        Ok(predictor.predict(architecture, values, inputs, outputs, is_stopped))
    }
}

impl<T: Real> Model for Plan<T> {
    fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn bytes(&self) -> usize {
        // A kilobyte for the layers, and the workspace's buffers.
        1024 + 4 * self.architecture.unit_count() * size_of::<T>()
            + self.spare.as_ref().map_or(0, Session::bytes)
    }

    fn predict(&mut self, buffer: &mut [u8]) -> Result<()> {
        let (io, values) = split::<T>(buffer, &self.layout)?;
        let Layout { inputs, outputs, .. } = &self.layout;
        let prediction = online::predict(
            &self.architecture,
            values,
            &io[inputs.clone()],
            &mut self.workspace,
        )?;
        io[outputs.clone()].copy_from_slice(prediction);
        Ok(())
    }

    fn train(&mut self, buffer: &mut [u8]) -> Result<()> {
        let (io, values) = split::<T>(buffer, &self.layout)?;
        let (inputs, targets) = (&io[self.layout.inputs.clone()], &io[self.layout.targets.clone()]);
        online::train(
            &self.architecture,
            values,
            inputs,
            targets,
            io[LEARNING_RATE],
            &mut self.workspace,
        )
    }

    fn initialize(&self, buffer: &mut [u8], seed: u64) -> Result<()> {
        initialize::initialize(&self.architecture, split::<T>(buffer, &self.layout)?.1, seed);
        Ok(())
    }

    fn export(&self, buffer: &mut [u8], out: &mut [f64]) -> Result<()> {
        let (_, values) = split::<T>(buffer, &self.layout)?;
        if out.len() != values.len() {
            return Err(Error::internal("room for each value", "exportWeights", out.len()));
        }
        weights::export(&self.architecture, values, out);
        Ok(())
    }

    fn import(&self, buffer: &mut [u8], values: &[f64]) -> Result<Option<usize>> {
        let (_, target) = split::<T>(buffer, &self.layout)?;
        if values.len() != target.len() {
            return Err(Error::internal(
                "one number for each value",
                "importWeights",
                values.len(),
            ));
        }
        Ok(weights::import(&self.architecture, target, values).err())
    }

    fn write(&self, buffer: &mut [u8], format: Format, seed: u64) -> Result<Vec<u8>> {
        let (_, values) = split::<T>(buffer, &self.layout)?;
        let architecture = &self.architecture;
        format.write(Network {
            architecture,
            values,
            seed,
        })
    }

    fn saver(&self, buffer: &mut [u8], format: Format, seed: u64, path: PathBuf) -> Result<Background> {
        let (_, values) = split::<T>(buffer, &self.layout)?;
        let (architecture, values) = (self.architecture.clone(), Aligned::copy(values, "the file")?);
        Ok(Box::new(move || {
            let network = Network {
                architecture: &architecture,
                values: &values,
                seed,
            };
            archive::save(&path, &format.write(network)?)?;
            Ok(Box::new(()))
        }))
    }

    fn fill(&self, buffer: &mut [u8], stored: &Stored, name: &str) -> Result<()> {
        let (_, values) = split::<T>(buffer, &self.layout)?;
        if stored.options.layers.len() != self.architecture.layers().len() {
            return Err(Error::internal("the network's own file", "the call", "another"));
        }
        stored.fill(name, &self.architecture, values)
    }

    fn predict_batch_f64(
        &mut self,
        buffer: &mut [u8],
        inputs: &[f64],
        outputs: &mut [f64],
        is_stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<usize>> {
        self.predict_batch(buffer, inputs, outputs, is_stopped)
    }

    fn predict_batch_f32(
        &mut self,
        buffer: &mut [u8],
        inputs: &[f32],
        outputs: &mut [f32],
        is_stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<usize>> {
        self.predict_batch(buffer, inputs, outputs, is_stopped)
    }

    fn data(&self, is_of_gradients: bool) -> Box<dyn DataSet> {
        Box::new(if is_of_gradients {
            Data::<T>::new(&self.architecture.with_given_gradients())
        } else {
            Data::<T>::new(&self.architecture)
        })
    }

    fn trainer(&self, buffer: &mut [u8], start: &Start, given: Value) -> Result<Box<dyn Trainer>> {
        split::<T>(buffer, &self.layout)?;
        let numbers = crate::engine::layout::numbers::<T>(buffer)?;
        let values = self.layout.values.clone();
        let architecture = self.architecture.clone();
        Ok(Box::new(Keeper::new(
            architecture,
            start,
            given,
            numbers,
            values,
        )?))
    }

    fn fit(
        &mut self,
        buffer: &mut [u8],
        start: &Start,
        data: Box<dyn DataSet>,
        held_out: Option<Box<dyn DataSet>>,
    ) -> Result<Box<dyn Job>> {
        let (_, values) = split::<T>(buffer, &self.layout)?;
        let (data, held_out) = (own::<T>(data)?, held_out.map(own::<T>).transpose()?);
        let run = fit::begin(
            self.architecture.clone(),
            start,
            data,
            held_out,
            values,
            self.spare.take(),
        )?;
        Ok(Box::new(Training::new(run, self.layout.values.clone())))
    }

    fn resume(
        &self,
        start: &Start,
        data: Box<dyn DataSet>,
        held_out: Option<Box<dyn DataSet>>,
    ) -> Result<Background> {
        let (data, held_out) = (own::<T>(data)?, held_out.map(own::<T>).transpose()?);
        let (architecture, start, values) = (
            self.architecture.clone(),
            start.clone(),
            self.layout.values.clone(),
        );
        Ok(Box::new(move || {
            // The weights are those of the checkpoint.
            let run = fit::begin(architecture, &start, data, held_out, &[], None)?;
            let job: Box<dyn Job> = Box::new(Training::new(run, values));
            Ok(Box::new(job))
        }))
    }

    fn keep(&mut self, job: Box<dyn Job>) {
        if let Ok(training) = job.into_any().downcast::<Training<T>>() {
            let mut session = training.into_session();
            session.rest();
            self.spare = Some(session).filter(|session| session.bytes() <= SPARE_BYTES);
        }
    }

    fn evaluate(
        &self,
        buffer: &mut [u8],
        data: Box<dyn DataSet>,
        is_stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Evaluation>> {
        let (_, values) = split::<T>(buffer, &self.layout)?;
        evaluation::evaluate(&self.architecture, values, &own::<T>(data)?, is_stopped)
    }
}

/// The models of one JavaScript environment, by number.
#[derive(Default)]
pub struct Models(Slab<Box<dyn Model>>);

impl Models {
    /// Keeps `model` and returns its number.
    pub fn insert(&mut self, model: Box<dyn Model>) -> u32 {
        self.0.insert(model) as u32
    }

    /// Gives back the model of `number`.
    pub fn remove(&mut self, number: u32) -> Option<Box<dyn Model>> {
        self.0.try_remove(number as usize)
    }

    /// The model that a network's buffer names.
    #[inline]
    pub fn of(&mut self, buffer: &[u8]) -> Result<&mut dyn Model> {
        let number = buffer.first_chunk().map(|&bytes| u32::from_ne_bytes(bytes));
        match number.and_then(|number| self.0.get_mut(number as usize)) {
            Some(model) => Ok(model.as_mut()),
            None => Err(Error::internal(
                "a network's buffer",
                "the call",
                "something else",
            )),
        }
    }
}
