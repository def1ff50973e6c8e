//! Tables as the preview pane shows them: rows on screen, what is asked of them, and what is known of their columns.

pub mod card;
pub mod page;
pub mod palette;
pub mod plot;
pub mod query;
pub mod reading;
pub mod wish;

pub use card::{CardValues, ColumnCard, ColumnKind, Histogram};
pub use page::{Copied, Found, Shape, TablePage, Work};
pub use plot::{BoxOf, Frame, Plot, PlotContent, PlotWish, PointColor, Points, Raster};
pub use query::{Condition, Filter, Query, Sort};
pub use reading::{Encoding, ReadAs, Reading};
pub use wish::{CopyStyle, CopyWish, SaveForm, StackMember, StackWish, TableWish};
