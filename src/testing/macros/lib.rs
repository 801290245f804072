//! The attribute `#[heapsoak_testing::test]`.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Ident, ItemFn, LitInt, ReturnType, Token, parse_macro_input};

/// Makes a test of a function whose body is soaked: it is run a few thousand times, and fails if it leaks.
///
/// ```text
/// #[heapsoak_testing::test]
/// fn a_session_leaves_nothing_behind() {
///     Session::open().run();
/// }
///
/// #[heapsoak_testing::test(iterations = 4_000, warm_up = 100)]
/// async fn a_request_leaves_nothing_behind(iteration: u64) {
///     handle(iteration).await;
/// }
/// ```
///
/// The function may be async; then it runs on a runtime of its own with one thread. It may take the number of the
/// iteration. Options are those of the builder: `iterations`, `warm_up`, `cycles`, `extend_up_to`, `detection_limit`.
#[proc_macro_attribute]
pub fn test(options: TokenStream, item: TokenStream) -> TokenStream {
    let options = parse_macro_input!(options as Options);
    let function = parse_macro_input!(item as ItemFn);
    expand(&options, &function).unwrap_or_else(Error::into_compile_error).into()
}

/// What the attribute may say, each a method of the builder.
const OPTIONS: [&str; 5] = ["iterations", "warm_up", "cycles", "extend_up_to", "detection_limit"];

struct Options(Vec<(Ident, LitInt)>);

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Options> {
        let pairs = Punctuated::<Pair, Token![,]>::parse_terminated(input)?;
        let mut options: Vec<(Ident, LitInt)> = Vec::new();
        for Pair(name, value) in pairs {
            if !OPTIONS.iter().any(|known| name == known) {
                let message = format!("unknown option `{name}`, use {}", OPTIONS.join(", "));
                return Err(Error::new(name.span(), message));
            }
            if options.iter().any(|(earlier, _)| *earlier == name) {
                return Err(Error::new(name.span(), format!("`{name}` is given twice")));
            }
            if value.base10_digits() == "0" && name != "warm_up" {
                return Err(Error::new(
                    value.span(),
                    format!("`{name}` must be above zero: nothing would be soaked"),
                ));
            }
            options.push((name, value));
        }
        Ok(Options(options))
    }
}

struct Pair(Ident, LitInt);

impl Parse for Pair {
    fn parse(input: ParseStream<'_>) -> syn::Result<Pair> {
        let name = input.parse()?;
        input.parse::<Token![=]>()?;
        Ok(Pair(name, input.parse()?))
    }
}

fn expand(options: &Options, function: &ItemFn) -> syn::Result<Tokens> {
    let ItemFn { attrs, vis, sig, block } = function;
    if let Some(attribute) = attrs.iter().find(|attribute| attribute.path().is_ident("test")) {
        let message = "#[heapsoak_testing::test] makes the test itself: take #[test] out";
        return Err(Error::new(attribute.span(), message));
    }
    if !sig.generics.params.is_empty() {
        return Err(Error::new(
            sig.generics.span(),
            "a soaked test can't be generic: nothing would choose its types",
        ));
    }
    if let ReturnType::Type(_, returned) = &sig.output {
        let message = "a soaked test returns nothing: unwrap what may fail, so that it fails where it does";
        return Err(Error::new(returned.span(), message));
    }
    let iteration = match sig.inputs.len() {
        0 => quote!(_: u64),
        1 => {
            let input = &sig.inputs[0];
            quote!(#input)
        }
        _ => {
            let message = "a soaked test takes the number of the iteration, or nothing";
            return Err(Error::new(sig.inputs.span(), message));
        }
    };
    let name = &sig.ident;
    let text = name.to_string();
    let calls = options.0.iter().map(|(name, value)| quote!(.#name(#value)));
    let run = if sig.asyncness.is_some() {
        quote!(.run_async(async move |#iteration| #block))
    } else {
        quote!(.run(move |#iteration| #block))
    };
    Ok(quote! {
        #[::core::prelude::v1::test]
        #(#attrs)*
        #vis fn #name() {
            ::heapsoak_testing::Soak::new(#text) #(#calls)* #run .assert_no_leak();
        }
    })
}
