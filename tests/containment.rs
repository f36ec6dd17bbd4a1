//! What a build, a Containerfile or a killed run can do to anybody else: nothing. The jobs in here are
//! hostile and written for these tests; engine, rpmbuild and ccache are the real ones.

mod cache;
